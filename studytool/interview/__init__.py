"""The mock interview: what to ask, how it goes on, and what to report. Pure values and functions."""
