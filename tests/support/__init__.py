"""What tests are made with: small data sets, models and servers, and readers of what comes out."""
