// A real OpenID Connect provider: node provider.mjs PORT REDIRECT_URI BACKCHANNEL_URI KEY_ID
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, redirectUri, backchannelUri, kid] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
const roles = { ana: ['radiologue'], bob: ['secretaire'], eve: [] };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'negatoscope',
      client_secret: 'a secret of the test',
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [redirectUri.replace(/\/api\/.*/, '/sign-in')],
      backchannel_logout_uri: backchannelUri,
      backchannel_logout_session_required: true,
    },
  ],
  jwks: { keys: [key] },
  cookies: { keys: ['a key of the test'] },
  pkce: { required: () => true },
  claims: { openid: ['sub', 'realm_access', 'preferred_username', 'name'] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `Person ${id}`,
      preferred_username: id,
      realm_access: { roles: roles[id] ?? [] },
    }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
