"""A discrete-event model of populations and clusters that are larger than this machine."""
