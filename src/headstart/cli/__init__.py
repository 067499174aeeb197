"""The command line: one module per verb, which parses and delegates."""
