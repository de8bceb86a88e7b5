"""What every foundation model is: card, tokens, encoding, model, head; and safe reading of weights."""
