"""SCE: sparsest cut embeddings."""
