"""Models for use elsewhere: ONNX, torch programs and the Hugging Face Hub."""
