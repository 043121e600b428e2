"""The y axis of a number's legal range, on its own scale."""
