/** The dashboard's page. */
import { render } from 'preact';
import '../parts/theme.css';

const place = document.getElementById('app');
if (place !== null) render(<p>dashboard</p>, place);
