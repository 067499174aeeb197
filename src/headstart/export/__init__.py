"""Policies in other forms: ONNX, one C file, a folder for the Hugging Face Hub."""
