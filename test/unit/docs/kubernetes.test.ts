import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { PersistentVolumeClaim, Service } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

/** Kubernetes' own schemas, by kind. */
const kinds = { Deployment, PersistentVolumeClaim, Service, StatefulSet };

/** What the API server would say against these objects. */
function faultsOf(text: string): string[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as { kind: keyof typeof kinds };
    try {
      new kinds[object.kind](object as never).validate();
      return [];
    } catch (error) {
      return [`${object.kind}: ${(error as Error).message}`];
    }
  });
}

describe('docs/kubernetes.md', () => {
  let manifest: string;
  let ofSeveral: string;
  before(async () => {
    const docs = await readFile('docs/kubernetes.md', 'utf8');
    const blocks = [...docs.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block!);
    expect(blocks).to.have.lengthOf(2);
    [manifest, ofSeveral] = blocks as [string, string];
  });

  it("has objects that Kubernetes' schemas allow", () => {
    expect(parseAllDocuments(manifest)).to.have.lengthOf(3);
    expect(parseAllDocuments(ofSeveral)).to.have.lengthOf(2);
    expect([...faultsOf(manifest), ...faultsOf(ofSeveral)]).to.deep.equal([]);
  });

  it('would be told of a fault in it', () => {
    expect(faultsOf(manifest.replace('replicas: 1', 'replicas: one'))).to.have.lengthOf(1);
    expect(
      faultsOf(manifest.replace('httpGet: { path: /livez, port: http }', 'httpGet: { path: /livez }')),
    ).to.have.lengthOf(1);
  });

  it('names ports, volumes and labels that are there', () => {
    const [deployment, claim, service] = parseAllDocuments(manifest).map((document) => document.toJS());
    const { spec } = deployment.spec.template;
    const [container] = spec.containers;
    const ports = container.ports.map(({ name }: { name: string }) => name);
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      expect(ports).to.include(container[probe].httpGet.port);
    expect(ports).to.include(service.spec.ports[0].targetPort);
    expect(service.spec.selector).to.deep.equal(deployment.spec.template.metadata.labels);
    expect(deployment.spec.selector.matchLabels).to.deep.equal(deployment.spec.template.metadata.labels);
    expect(spec.volumes[0].persistentVolumeClaim.claimName).to.equal(claim.metadata.name);
    expect(container.volumeMounts[0].name).to.equal(spec.volumes[0].name);
  });

  it('starts several pods as it does one, each with a claim of its own', () => {
    const [deployment, claim] = parseAllDocuments(manifest).map((document) => document.toJS());
    const [pods, set] = parseAllDocuments(ofSeveral).map((document) => document.toJS());
    const { volumes, ...pod } = deployment.spec.template.spec;
    expect(volumes).to.have.lengthOf(1);
    expect(set.spec.template).to.deep.equal({ ...deployment.spec.template, spec: pod });
    expect(set.spec.selector).to.deep.equal(deployment.spec.selector);
    expect(set.spec.volumeClaimTemplates).to.deep.equal([{ metadata: { name: volumes[0].name }, spec: claim.spec }]);
    expect(set.spec.serviceName).to.equal(pods.metadata.name);
    expect(pods.spec.selector).to.deep.equal(set.spec.template.metadata.labels);
  });
});
