"""From text to cards and back. Pure: no clock, no database, no screen."""
