"""The built-in demos, registered by entry points exactly as a third party's would be."""
