"""Transfer learning with transformer encoders on Ray. Importing this package does nothing but define names."""

__version__ = "0.1.0"
