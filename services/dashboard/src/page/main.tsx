import { render } from 'preact';
import './style.css';
import './theme.js';
import { App } from './app.js';

render(<App />, document.getElementById('app') as HTMLElement);
