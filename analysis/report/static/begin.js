"use strict";

envolve.begin();
