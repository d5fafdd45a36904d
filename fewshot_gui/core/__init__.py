"""What is computed: pure values in, pure values out."""
