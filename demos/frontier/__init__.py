"""Where the field is going: learning without end, and agents with a body."""
