/**
 * What the server found, in French. Its words are few; what is not among them (an error of the system,
 * a name) stays as it is.
 */
const FRENCH: readonly (readonly [RegExp, string])[] = [
  [/^answers$/, 'répond'],
  [/^no server$/, 'aucun serveur'],
  [/^PostgreSQL (\S+), fsync on, checksums (\S+)$/, 'PostgreSQL $1, fsync actif, sommes de contrôle : $2'],
  [/^revision (\S+), this version needs (\S+)$/, 'révision $1, cette version demande $2'],
  [/^([\d.]+) GB free in (.+)$/, '$1 Go libres dans $2'],
  [/^([\d.]+) GB free, refuses below ([\d.]+) GB$/, '$1 Go libres, refuse sous $2 Go'],
  [/^(.+) is not writable$/, '$1 n’est pas accessible en écriture'],
  [/^nobody listens on (\S+) \((.*)\)$/, 'personne n’écoute sur $1 ($2)'],
  [/^(.+) over TLS listens on (\S+)$/, '$1 sur TLS écoute sur $2'],
  [/^(\S+) listens on (\S+)$/, '$1 écoute sur $2'],
  [/^valid until (\S+)$/, 'valable jusqu’au $1'],
  [/^not compared: no database$/, 'non comparée : pas de base'],
  [/^([\d.]+) s from the database's$/, '$1 s d’écart avec la base'],
  [/^the kernel does not say$/, 'le noyau ne le dit pas'],
  [/^synchronised, estimated error ([\d.]+) ms$/, 'synchronisée, erreur estimée $1 ms'],
  [/^the kernel's clock is not synchronised$/, 'l’horloge du noyau n’est pas synchronisée'],
  [/^(\S+) is older than (\S+) \((.*)\)$/, '$1 est antérieure à $2 ($3)'],
  [/^limit (\d+)$/, 'limite $1'],
  [/^as its key$/, 'comme sa clé'],
  [/^no subject alternative name$/, 'aucun nom alternatif (subjectAltName)'],
  [/^(\d+), the first ends (\S+)$/, '$1, la première finit le $2'],
  [/^not looked at: nobody speaks TLS there now$/, 'non examiné : personne n’y parle TLS'],
  [/^prefers (.+); takes nothing weak$/, 'préfère $1 ; n’accepte rien de faible'],
  [/^prefers (.+); takes (.+)$/, 'préfère $1 ; accepte $2'],
  [/^(.+) has mode (\d+)$/, '$1 a les droits $2'],
  [/^(\d+) heard of: none$/, '$1 se manifestent'],
  [/^(\d+) heard of: (.+)$/, '$1 se manifestent : $2'],
  [/^all went well$/, 'tout s’est bien passé'],
  [
    /^the worker is reading objects again; runs since its start: (\d+)$/,
    'relecture en cours ; passages depuis le démarrage : $1',
  ],
  [
    /^the worker has read objects again; runs since its start: (\d+)$/,
    'relecture faite ; passages depuis le démarrage : $1',
  ],
  [/^(\d+) wait, (\d+) s; (\d+) parked$/, '$1 en attente, $2 s ; $3 mis de côté'],
  [/^(\d+) failed$/, '$1 en échec'],
  [/^(\d+) open$/, '$1 à décider'],
  [/^not verified yet$/, 'pas encore vérifiée'],
  [
    /^verified (.+) UTC, (\d+) records, (\d+) findings$/,
    'vérifiée le $1 UTC, $2 enregistrements, $3 anomalies',
  ],
];

/** The words of a check, in the reader's language; null when only the server's own can be shown. */
export function foundIn(language: string, detail: string): string | null {
  if (language !== 'fr') return null;
  for (const [pattern, french] of FRENCH) {
    if (pattern.test(detail)) return detail.replace(pattern, french);
  }
  return null;
}
