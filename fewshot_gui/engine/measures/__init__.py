"""What `fewshot-gui bench` measures, each with a baseline of the same run."""
