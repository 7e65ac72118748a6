"""studytool: a card makes a claim, a demo shows that it is true, the schedule decides when you say it again."""

__version__ = "0.1.0"
