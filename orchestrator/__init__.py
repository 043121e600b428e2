"""How a population of env distributions evolves; knows nothing of YAML or of the command line."""
