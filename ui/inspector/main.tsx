/** The inspector's page. */
import { render } from 'preact';
import '../parts/theme.css';
import './inspector.css';
import { App } from './app.tsx';

const place = document.getElementById('app');
if (place !== null) render(<App />, place);
