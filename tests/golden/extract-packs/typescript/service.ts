import { toast } from "./ui/Toast Service";
export type Level = "Very low" | "Very high";
enum Kind { A = "Kind A" }

const REGEX = /["'`]Not text["'`]/;
// alert("commented out")
export const columns: Column[] = [
  { key: "name", title: "Full name", width: 120, align: "left" },
  { key: "age", label: 'Age in years', errorMessage: `Must be under ${limits.max}` },
];

export async function save(item: Item): Promise<void> {
  if (item.kind === "Not Shown") return;
  if (!confirm("Overwrite " + item.name + "?")) return;
  try {
    await api.post("/Items and more", { headers: { "Content Type": "x" } });
    toast.success("Saved");
    showNotification({ message: "Everything is up to date" });
  } catch (error) {
    console.error("Saving failed:", error);
    throw new Error("Could not save");
  }
  document.title = item.count > 1 ? "Several items" : "One item";
  label.textContent = t("items.saved", "Saved items");
  const query = "SELECT name FROM items";
  element.innerText = 'It\'s \u0022done\u0022 \
at last';
  switch (item.kind) { case "Case Label": break; }
  return finish("Then go on with the next");
}
