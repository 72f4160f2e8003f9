# What actions/checkout does, as far as workflows can see it.
set -eu
into="$GITHUB_WORKSPACE/$WHERE"
mkdir -p "$into"
cd "$into"
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1
if [ ! -d .git ]; then
  git init -q -b main .
fi
find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
git config --local remote.origin.url "$GITHUB_SERVER_URL/$REPOSITORY"
git config --local --replace-all remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
git config --local gc.auto 0
git config --local "http.$GITHUB_SERVER_URL/.extraheader" \
  "AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)"

# A full history is borrowed and not copied: each job of a rehearsal checks out, and they share one disk.
if [ "$DEPTH" = 0 ] && [ "$REPOSITORY" = "$GITHUB_REPOSITORY" ] && [ -d "${SANDBOX_OBJECTS:-}" ]; then
  echo "$SANDBOX_OBJECTS" > .git/objects/info/alternates
fi

wanted="$WANTED"
if [ -z "$wanted" ] && [ "$REPOSITORY" = "$GITHUB_REPOSITORY" ]; then
  wanted="$GITHUB_SHA"
elif [ -z "$wanted" ]; then
  wanted=HEAD
fi
depth=()
if [ "$DEPTH" != 0 ]; then depth=(--depth="$DEPTH"); fi
tags=(--no-tags)
if [ "$TAGS" = true ]; then tags=(--tags); fi

if [[ "$wanted" =~ ^[0-9a-f]{40}$ ]]; then
  if [ "$DEPTH" = 0 ]; then
    git fetch -q --prune --tags origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*' "$wanted"
  else
    git fetch -q "${tags[@]}" --prune "${depth[@]}" origin "$wanted"
  fi
  start="$wanted"
else
  if [ "$DEPTH" = 0 ]; then
    git fetch -q --prune --tags origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
  fi
  start="refs/remotes/origin/${wanted#refs/heads/}"
  if [ "$DEPTH" != 0 ] || ! git rev-parse -q --verify "$start^{commit}" >/dev/null; then
    git fetch -q "${tags[@]}" "${depth[@]}" origin "$wanted"
    start=FETCH_HEAD
  fi
fi
if [ -n "$SPARSE" ]; then
  git sparse-checkout init --cone
  printf '%s\n' "$SPARSE" | sed '/^$/d' | git sparse-checkout set --stdin
fi

branch=''
case "$wanted" in
  refs/heads/*) branch="${wanted#refs/heads/}" ;;
  refs/*|HEAD) ;;
  *) if [[ "$start" == refs/remotes/origin/* ]]; then branch="$wanted"
     elif [[ ! "$wanted" =~ ^[0-9a-f]{40}$ ]] && git ls-remote -q --exit-code origin "refs/heads/$wanted" >/dev/null; then branch="$wanted"; fi ;;
esac
if [ -z "$WANTED" ] && [[ "$GITHUB_REF" == refs/heads/* ]]; then branch="${GITHUB_REF#refs/heads/}"; fi
if [ -n "$branch" ]; then
  git update-ref "refs/remotes/origin/$branch" "$(git rev-parse "$start^{commit}")"
  git checkout -q --force -B "$branch" "refs/remotes/origin/$branch"
else
  git checkout -q --force --detach "$start"
fi
if [ "$PERSIST" != true ]; then
  git config --local --unset-all "http.$GITHUB_SERVER_URL/.extraheader"
fi
{
  echo "ref=$wanted"
  echo "commit=$(git rev-parse HEAD)"
} >> "$GITHUB_OUTPUT"
git log -1 --format='HEAD is now at %h %s'
