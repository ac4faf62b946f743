SIGNAL keyword k { keywords: ["x", 3, y] }
SIGNAL authz a { role: "r" subjects: ["u", { kind: "User", name: "n" }] }
