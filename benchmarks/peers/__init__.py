"""What the tool is measured against, where that is a program of its own."""
