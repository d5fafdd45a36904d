"""What embeds on the CPU, torch or ONNX Runtime: measured once, remembered, and the faster one taken."""
