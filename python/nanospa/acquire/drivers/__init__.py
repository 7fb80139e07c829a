"""Drivers of microscopes; found through the table of `nanospa.acquire.connect`, never imported directly."""
