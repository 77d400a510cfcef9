// dicomweb-client and dcmjs, unmodified, in a browser against a running server. Writes one JSON
// document to standard output: what each call gave, and every request that failed.
//
//   node dcmjs.mjs URL TOKEN STUDY CHROMIUM
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const [url, token, study, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const context = await browser.newContext({ bypassCSP: true }); // scripts of another origin than the page's
const page = await context.newPage();
const errors = [];
page.on('pageerror', error => errors.push(String(error)));
page.on('console', message => process.stderr.write(`${message.text()}\n`));
page.on('requestfailed', request => process.stderr.write(`${request.failure()?.errorText} ${request.url()}\n`));
page.on('response', async response => {
  if (response.status() < 400) return;
  const accept = response.request().headers().accept;
  process.stderr.write(`${response.status()} ${response.url()} ${accept} ${await response.text().catch(() => '')}\n`);
});
await page.goto(`${url}/healthz`);
await page.addScriptTag({ path: require.resolve('dicomweb-client') });
await page.addScriptTag({ path: require.resolve('dcmjs') });

const found = await page.evaluate(async ({ url, token, study }) => {
  const { DICOMwebClient } = window.dicomwebClient ?? window.DICOMwebClient ?? {};
  const Client = DICOMwebClient ?? window['DICOMwebClient'].api.DICOMwebClient;
  const { data } = window.dcmjs;
  const made = [];
  const client = new Client({
    url: `${url}/dicom-web`,
    headers: { Authorization: `Bearer ${token}` },
    errorInterceptor: error => { console.error(error.status, error.request.responseURL); made.push(error.status); },
  });
  const base64 = buffer => btoa(Array.from(new Uint8Array(buffer), byte => String.fromCharCode(byte)).join(''));
  const natural = one => data.DicomMetaDictionary.naturalizeDataset(one);
  const result = {};

  result.studies = (await client.searchForStudies({ queryParams: { PatientName: 'DUPONT*', limit: 10 } })).map(natural);
  result.nobody = await client.searchForStudies({ queryParams: { PatientName: 'NOBODY' } });
  result.series = (await client.searchForSeries({ studyInstanceUID: study })).map(natural);
  const seriesUID = result.series[0].SeriesInstanceUID;
  const inSeries = { studyInstanceUID: study, seriesInstanceUID: seriesUID };
  result.instances = (await client.searchForInstances(inSeries)).map(natural);
  const inInstance = { ...inSeries, sopInstanceUID: result.instances[0].SOPInstanceUID };

  result.studyMetadata = (await client.retrieveStudyMetadata({ studyInstanceUID: study })).length;
  result.seriesMetadata = (await client.retrieveSeriesMetadata(inSeries)).length;
  const [metadata] = await client.retrieveInstanceMetadata(inInstance);
  result.metadata = natural(metadata);
  result.frames = (await client.retrieveInstanceFrames({ ...inInstance, frameNumbers: [1, 2] })).map(base64);
  result.jls = (await client.retrieveInstanceFrames({
    ...inInstance, frameNumbers: [1],
    mediaTypes: [{ mediaType: 'image/x-jls', transferSyntaxUID: '1.2.840.10008.1.2.4.80' }],
  })).map(base64);
  result.either = (await client.retrieveInstanceFrames({
    ...inInstance, frameNumbers: [2],
    mediaTypes: [
      { mediaType: 'application/octet-stream', transferSyntaxUID: '1.2.840.10008.1.2.1' },
      { mediaType: 'image/jls', transferSyntaxUID: '1.2.840.10008.1.2.4.80' },
    ],
  })).map(base64);
  const bulkDataURI = metadata['7FE00010'].BulkDataURI;
  result.bulk = (await client.retrieveBulkData({ BulkDataURI: bulkDataURI })).map(base64);

  const start = given => Array.from(new Uint8Array(Array.isArray(given) ? given[0] : given).slice(0, 4));
  result.rendered = start(await client.retrieveInstanceRendered({ ...inInstance, mediaTypes: [{ mediaType: 'image/png' }] }));
  result.frameRendered = start(await client.retrieveInstanceFramesRendered({
    ...inInstance, frameNumbers: [2], mediaTypes: [{ mediaType: 'image/jpeg' }], queryParams: { viewport: '8,8' },
  }));
  result.thumbnail = start(await client.retrieveInstanceThumbnail({ ...inInstance, mediaTypes: [{ mediaType: 'image/jpeg' }] }));
  result.frameThumbnail = start(await client.retrieveInstanceFramesThumbnail({
    ...inInstance, frameNumbers: [1], mediaTypes: [{ mediaType: 'image/jpeg' }],
  }));

  result.whole = (await client.retrieveStudy({ studyInstanceUID: study })).length;
  result.wholeSeries = (await client.retrieveSeries(inSeries)).length;
  result.progress = 0;
  const part10 = await client.retrieveInstance({ ...inInstance, progressCallback: () => { result.progress += 1; } });
  const message = data.DicomMessage.readFile(part10);
  const dataset = natural(message.dict);
  result.name = dataset.PatientName;
  dataset._meta = data.DicomMetaDictionary.namifyDataset(message.meta);
  dataset.SOPInstanceUID += '.2';
  dataset._meta.MediaStorageSOPInstanceUID = { vr: 'UI', Value: [dataset.SOPInstanceUID] };
  dataset.SeriesInstanceUID += '.2';
  dataset.SeriesDescription = 'écrit par dcmjs';
  message.dict = data.DicomMetaDictionary.denaturalizeDataset(dataset);
  result.stored = await client.storeInstances({ datasets: [message.write()] });
  const back = { ...inSeries, seriesInstanceUID: dataset.SeriesInstanceUID, sopInstanceUID: dataset.SOPInstanceUID };
  const again = natural(data.DicomMessage.readFile(await client.retrieveInstance(back)).dict);
  result.again = { description: again.SeriesDescription, pixels: base64(again.PixelData[0]) };
  result.pixels = base64(dataset.PixelData[0]);

  result.refused = [];
  const refuse = async promise => {
    try { await promise; result.refused.push('given'); } catch (error) { result.refused.push(error.status ?? String(error)); }
  };
  await refuse(client.retrieveStudyMetadata({ studyInstanceUID: '1.2.3' }));
  await refuse(client.retrieveInstanceFrames({ ...inInstance, frameNumbers: [99] }));
  await refuse(new Client({ url: `${url}/dicom-web` }).searchForStudies());
  result.statuses = made;
  return result;
}, { url, token, study });
await browser.close();
process.stdout.write(JSON.stringify({ ...found, errors }));
