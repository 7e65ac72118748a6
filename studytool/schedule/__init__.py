"""When a card comes back. Pure: every function gets the moment, the policy and the seed it needs."""
