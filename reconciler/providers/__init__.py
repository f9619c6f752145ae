"""The plug-ins: one folder a provider, over one HTTP core."""
