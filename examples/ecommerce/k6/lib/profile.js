// PROFILE=short runs a script in about 15 seconds; the full profile is the default.

export const short = __ENV.PROFILE === 'short';

export function stages(full) {
  return short
    ? [
        { duration: '3s', target: 20 },
        { duration: '9s', target: 50 },
        { duration: '3s', target: 0 },
      ]
    : full;
}

export const summary = ['avg', 'min', 'med', 'p(95)', 'p(99)', 'max'];
