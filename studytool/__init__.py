"""studytool: a card makes a claim, a demo shows that it is true, the schedule brings it back."""

__version__ = "0.1.0"
