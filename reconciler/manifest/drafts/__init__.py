"""Manifests for what is live and nobody declares: which, under which names, and their text. Pure, without any I/O."""
