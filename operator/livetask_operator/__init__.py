"""A Kubernetes operator that follows live-stream tasks at cloud vendors, and stops them when their objects go."""
