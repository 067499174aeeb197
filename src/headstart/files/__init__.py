"""Any file, safely: whole or absent when written, within bounds when read."""
