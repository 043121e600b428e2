/* Light or dark: as chosen before, else as the system wishes. Runs before anything is painted. */
"use strict";

window.envolve = {};

(() => {
  const KEY = "envolve-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage is forbidden here: the choice holds for this visit.
    }
  }

  function remember(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // As above.
    }
  }

  function show(theme) {
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("envolve-theme", { detail: theme }));
  }

  envolve.theme = {
    /** "light" or "dark", as it is shown now. */
    get now() {
      return document.documentElement.dataset.theme;
    },
    /** Show a theme without remembering it. */
    show,
    /** Show a theme, now and on later visits. */
    choose(theme) {
      remember(theme);
      show(theme);
    },
  };

  const chosen = remembered();
  show(chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => {
    if (remembered() === null) show(dark.matches ? "dark" : "light");
  });
})();
