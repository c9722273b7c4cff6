import React, { useState } from "react";
// <p>Commented</p>
type Props<T> = { items: Array<T>; onClose?: () => void };
const x = a < b && c > d;
const re = /["'<>]/g;
export function App({ name, items }: Props<Item>) {
  const [v, setV] = useState<string>("");
  const { t } = useTranslation();
  const m = new Map<string, Array<Foo>>();
  toast.success("Saved your changes");
  console.log("Not for people");
  if (!name) throw new Error("No name given");
  const cols = [{ title: "Full name", key: "name" }, { label: 'age', width: 3 }];
  const s = cond ? "Sure thing" : "other";
  return (
    <Layout className="flex row" title="My page" onClick={() => { go("/home"); }}>
      <h1>Welcome back, {name}!</h1>
      <p>
        You have {items.length} new
        messages &amp; more.{" "}
        <a href="/x" title={`Go to ${name}`}>Read on</a>
      </p>
      {items.map((i) => <Row key={i.id} label={"Row " + i.id} />)}
      {open ? "Close it" : "Open it"}
      {loading && <Spinner aria-label="Loading" />}
      {t("some.key")}
      <Trans>Already <b>done</b></Trans>
      <input placeholder='Search "all"' type="text" disabled />
      <img alt="" src="a.png" />
      <code>npm install</code>
      <Button<string> confirmLabel="Yes, delete" variant="primary">{"Delete"}</Button>
      <>Fragment text</>
      {`Hi ${a > b ? <b>deep</b> : "x y"} end`}
    </Layout>
  );
}
const after = <T,>(x: T) => x;
document.title = "Home page";

const Card = styled.div<{ wide: boolean }>`
  color: ${({ theme }) => theme.text};
  content: "Not text; at all";
`;

export const Pricing = ({ plan, user }: { plan: Plan; user?: User }) => (
  <Card wide title={plan.free ? "Free for ever" : "Paid plan"}>
    <Tooltip content="What is in it" placement="top" submitLabel={'Buy now'}>
      {user ? `Signed in as ${user.name}` : "Guest"}
    </Tooltip>
    <FormattedMessage id="price" defaultMessage="Costs {price}" values={{ b: <b /> }} />
    <Plan.Price<Money> value={3} /> {plan.months > 1 && "per month"}
    {/* <p>Not this</p> */}
    <p className={clsx("mb-2 flex", wide && "Wide Class")}>Don&apos;t worry &lt;3</p>
    <style>{`.a { color: red }`}</style>
    <Script id="env">{`window["ASSET_PATH"] = window.origin;`}</Script>
    {`window["ASSET_PATH"] = window.origin;`} {wide ? "hsl(215 17% 30% / 1)" : "Narrow"}
    <ul>{plan.items.map((item) => (<li key={item.id}>{item.count} of {item.total} used</li>))}</ul>
  </Card>
);
