"""Every message, its subject, the catalogue and the codec. Pure."""
