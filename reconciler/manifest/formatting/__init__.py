"""Manifests in one form: the same documents, comments and values, laid out in one way. Pure, without any I/O.

What people wrote is never written anew: a scalar keeps its characters, quotes included, so that no text can become a
number on the way. Only what stands around it changes: indentation, blank lines, spaces, the order of the envelope, and
braces that do not fit on a line. A round-trip library (ruamel.yaml) would emit each scalar again by rules of its own,
fold long lines, and leave comments behind when keys move.

``tree`` reads a file with its comments, ``printing`` writes it, ``form`` has both looked over by the loader.
"""
