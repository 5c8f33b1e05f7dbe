"""Corrections of the backend where it is not like AWS, and what EKS must notice of other services.

Each one has a row in RULES.md.
"""
