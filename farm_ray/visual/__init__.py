"""FARM's path to its pictures."""
