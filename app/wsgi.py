"""The application for a WSGI server of one's own choice; its import is what such a server asks for."""

from app import create_app
from trainyard.settings import Settings

application = create_app(Settings.from_environment())
