"""The control endpoints below /_local/."""
