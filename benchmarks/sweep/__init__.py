"""The same sweep of a population by envolve, by stock Tune and RLlib, and by bare loops."""
