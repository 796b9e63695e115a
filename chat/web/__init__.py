"""What every page needs: sessions, headers, error pages, languages, assets, avatars, metrics.

It may import `storage`, and knows nothing of conversations. Start reading at sessions.py.
"""
