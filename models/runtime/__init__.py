"""Run exported networks: ONNX Runtime, OpenVINO, PyTorch."""
