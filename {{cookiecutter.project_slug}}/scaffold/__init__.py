"""Adds features and commands to this service, as its own ones are written.

It edits texts and is no part of the service: nothing in `app` imports it, and the container image
does not hold it.
"""
