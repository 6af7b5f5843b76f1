"""The mechanism of action of opioid antagonists, naltrexone first, made executable."""

__version__ = "0.1.0.dev0"
