"""How the models are made. Needs the extra ``train``; nothing here runs on a desk."""
