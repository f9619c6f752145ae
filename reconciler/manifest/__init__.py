"""From files to Desired: YAML with places, schema check, variables, references, contact files."""
