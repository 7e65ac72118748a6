"""One file a revision, `mNNNN_name.py`; a released one never changes."""
