#!/usr/bin/env node
// The program `giraffe` from its sources, without a build: jiti compiles TypeScript as it is imported.
import { register } from 'jiti/register';

