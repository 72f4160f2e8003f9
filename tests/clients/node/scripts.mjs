// What tests/clients/test_octokit.py asks of octokit: each function gets a client and arguments, and returns JSON.
import { Octokit } from "@octokit/rest";
import { retry } from "@octokit/plugin-retry";

const base = `https://${process.env.GH_HOST}/api/v3`;
const auth = process.env.GH_ENTERPRISE_TOKEN;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const Client = Octokit.plugin(retry);
const octokit = new Client({ auth, baseUrl: base, log: quiet, retry: { retryAfterBaseValue: 10 } });

const scripts = {
  async conversation({ owner, repo, number }) {
    const at = { owner, repo, issue_number: number };
    const { data: made } = await octokit.rest.issues.createComment({ ...at, body: "/plan" });
    await octokit.rest.reactions.createForIssueComment({ owner, repo, comment_id: made.id, content: "eyes" });
    for (const body of ["one", "two", "three"]) await octokit.rest.issues.createComment({ ...at, body });
    const all = await octokit.paginate(octokit.rest.issues.listComments, { ...at, per_page: 2 });
    const events = await octokit.paginate(octokit.rest.issues.listEventsForTimeline, { ...at, per_page: 2 });
    return { bodies: all.map((one) => one.body), events: events.map((one) => one.event) };
  },
  async review({ owner, repo, number }) {
    const at = { owner, repo, pull_number: number };
    await octokit.rest.pulls.createReview({ ...at, event: "APPROVE", body: "fine" });
    const { data: reviews } = await octokit.rest.pulls.listReviews(at);
    const { data: files } = await octokit.rest.pulls.listFiles(at);
    const { data: diff } = await octokit.rest.pulls.get({ ...at, mediaType: { format: "diff" } });
    return { states: reviews.map((one) => one.state), files: files.map((one) => one.filename), diff };
  },
  async merge({ owner, repo, number }) {
    const at = { owner, repo, pull_number: number };
    const { data: pull } = await octokit.rest.pulls.get(at);
    const { data: merged } = await octokit.rest.pulls.merge({ ...at, sha: pull.head.sha, merge_method: "squash" });
    return { merged: merged.merged, again: await status(() => octokit.rest.pulls.merge(at)) };
  },
  async release({ owner, repo, tag }) {
    const { data: made } = await octokit.rest.repos.createRelease({ owner, repo, tag_name: tag, name: "One" });
    const { data: asset } = await octokit.rest.repos.uploadReleaseAsset({
      owner, repo, release_id: made.id, name: "card.txt", data: "churn", url: made.upload_url,
    });
    const { data: bytes } = await octokit.rest.repos.getReleaseAsset({
      owner, repo, asset_id: asset.id, headers: { accept: "application/octet-stream" },
    });
    const { data: latest } = await octokit.rest.repos.getLatestRelease({ owner, repo });
    return { latest: latest.tag_name, text: Buffer.from(bytes).toString() };
  },
  async artifacts({ owner, repo, run_id }) {
    const { data } = await octokit.rest.actions.listWorkflowRunArtifacts({ owner, repo, run_id });
    const [found] = data.artifacts;
    const zip = await octokit.rest.actions.downloadArtifact({
      owner, repo, artifact_id: found.id, archive_format: "zip",
    });
    return { name: found.name, magic: Buffer.from(zip.data).subarray(0, 2).toString() };
  },
  async graphql({ owner, repo, number }) {
    const query = `query($owner: String!, $repo: String!, $number: Int!) {
      repository(owner: $owner, name: $repo) {
        pullRequest(number: $number) { title author { login } timelineItems(first: 10) { nodes { __typename } } }
      }
    }`;
    const { repository } = await octokit.graphql(query, { owner, repo, number });
    const wrong = await octokit.graphql("{ viewer { nope } }").catch((error) => error.errors[0].extensions.code);
    return { title: repository.pullRequest.title, author: repository.pullRequest.author.login, wrong };
  },
  async search({ owner, repo }) {
    const q = `repo:${owner}/${repo} is:pr is:open`;
    const { data } = await octokit.rest.search.issuesAndPullRequests({ q, advanced_search: "true" });
    return data.items.map((one) => one.number);
  },
  async dispatch({ owner, repo }) {
    const at = { owner, repo, ref: "main" };
    return {
      unknown: await status(() => octokit.rest.actions.createWorkflowDispatch({ ...at, workflow_id: "none.yml" })),
      input: await status(() =>
        octokit.rest.actions.createWorkflowDispatch({ ...at, workflow_id: "hello.yml", inputs: { nope: "1" } })),
    };
  },
  async retried({ owner, repo }) {
    const { data } = await octokit.rest.repos.get({ owner, repo });
    return data.full_name;
  },
};

async function status(call) {
  try {
    return (await call()).status;
  } catch (error) {
    return error.status;
  }
}

const [name, given] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await scripts[name](JSON.parse(given))));
